// Told reads what go test -json says, prints what a person wants to know of it, and notes how long each test took.
//
//	go test -json ./… | go run .ci/told.go TIMES
//
// It ends with 1 when something failed, or when nothing was run.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// event is a line of go test -json (go doc test2json); of a build it has the output alone.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// name is a test of a package; its parts are the whole test's.
type name struct{ pkg, test string }

func main() {
	times, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	said := map[name]*strings.Builder{} // of tests that are under way
	ended, failed := 0, false
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Print(line)
			continue
		}
		test, part, _ := strings.Cut(e.Test, "/")
		who, whole := name{e.Package, test}, part == ""
		switch {
		case e.Output != "" && (test == "" || strings.HasPrefix(e.Output, "panic:")):
			fmt.Print(e.Output)
		case e.Output != "":
			if said[who] == nil {
				said[who] = &strings.Builder{}
			}
			said[who].WriteString(e.Output)
		case test == "" && (e.Action == "pass" || e.Action == "skip" || e.Action == "fail"):
			ended++
			failed = failed || e.Action == "fail"
		case whole && (e.Action == "pass" || e.Action == "skip"):
			fmt.Fprintf(times, "%7.1f s  %s %s\n", e.Elapsed, e.Package, test)
			delete(said, who)
		case whole && e.Action == "fail":
			failed = true
			fmt.Print(said[who])
			delete(said, who)
		}
	}
	for who, words := range said { // these were under way when all ended
		if failed {
			fmt.Printf("---- %s %s did not end ----\n%s", who.pkg, who.test, words)
		}
	}
	if err := times.Close(); err != nil || failed || ended == 0 {
		os.Exit(1)
	}
}
