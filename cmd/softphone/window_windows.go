package main

import (
	"os"
	"path/filepath"
)

// appBrowsers can open a page in a window without tabs and address; the first that is there is taken. Edge comes with the system.
func appBrowsers() (found [][]string) {
	for _, program := range []string{`Google\Chrome\Application\chrome.exe`, `Microsoft\Edge\Application\msedge.exe`, `BraveSoftware\Brave-Browser\Application\brave.exe`} {
		for _, folder := range []string{"ProgramFiles", "ProgramFiles(x86)", "LocalAppData"} {
			if base := os.Getenv(folder); base != "" {
				found = append(found, []string{filepath.Join(base, program)})
			}
		}
	}
	return found
}
