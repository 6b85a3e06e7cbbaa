package main

import "os"

// appBrowsers can open a page in a window without tabs and address; the first that is there is taken.
func appBrowsers() (found [][]string) {
	for _, name := range []string{"Google Chrome", "Microsoft Edge", "Brave Browser", "Chromium", "Vivaldi"} {
		if _, err := os.Stat("/Applications/" + name + ".app"); err == nil {
			found = append(found, []string{"open", "-na", name, "--args"})
		}
	}
	return found
}
