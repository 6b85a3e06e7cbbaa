// Told reads what go test -json says, prints what a person wants to know of it, and notes how long each test took.
//
//	go test -json ./… | go run .ci/told.go TIMES [AGAIN]
//
// It ends with 1 when something failed, or when nothing was run. When all that failed are tests that ended, without a panic and
// without a data race, it writes them to AGAIN, each as package and name.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
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
	ended, failed, worse := 0, false, false
	var again []string
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
			worse = worse || beyond(e.Output)
		case e.Output != "":
			if said[who] == nil {
				said[who] = &strings.Builder{}
			}
			said[who].WriteString(e.Output)
		case test == "" && (e.Action == "pass" || e.Action == "skip" || e.Action == "fail"):
			ended++
			if e.Action == "fail" {
				failed = true
				worse = worse || !slices.ContainsFunc(again, func(a string) bool { return strings.HasPrefix(a, e.Package+" ") })
			}
		case whole && (e.Action == "pass" || e.Action == "skip"):
			fmt.Fprintf(times, "%7.1f s  %s %s\n", e.Elapsed, e.Package, test)
			delete(said, who)
		case whole && e.Action == "fail":
			failed = true
			fmt.Print(said[who])
			worse = worse || beyond(said[who].String())
			again = append(again, e.Package+" "+test)
			delete(said, who)
		}
	}
	for who, words := range said { // these were under way when all ended
		if failed {
			worse = true
			fmt.Printf("---- %s %s did not end ----\n%s", who.pkg, who.test, words)
		}
	}
	if failed && !worse && len(os.Args) > 2 {
		if err := os.WriteFile(os.Args[2], []byte(strings.Join(again, "\n")+"\n"), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if err := times.Close(); err != nil || failed || ended == 0 {
		os.Exit(1)
	}
}

// beyond says that it is more than an expectation that did not hold.
func beyond(output string) bool {
	return strings.Contains(output, "panic:") || strings.Contains(output, "fatal error:") || strings.Contains(output, "WARNING: DATA RACE") ||
		strings.Contains(output, "[build failed]") || strings.Contains(output, "test timed out")
}
