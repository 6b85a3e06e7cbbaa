package roster

import (
	"errors"
	"fmt"
)

// Fault is what is wrong with one field of a setup. As an error it is the English sentence with its place; Format and Args are kept apart
// for whoever says it in another language.
type Fault struct {
	List   string // of the setup: accounts, terminals, …; "site"
	Row    int    // in the list, from 0; -1: there is no list
	Field  string // by the names of JSON, nested ones with dots
	Format string
	Args   []any
}

func (f Fault) Error() string {
	place := f.List
	if f.Row >= 0 {
		place = fmt.Sprintf("%s[%d]", f.List, f.Row)
	}
	return fmt.Sprintf("%s.%s: %s", place, f.Field, f.Text())
}

// Text is what is wrong, without the place.
func (f Fault) Text() string { return fmt.Sprintf(f.Format, f.Args...) }

// Faults are all faults that an error holds.
func Faults(err error) []Fault {
	var all []Fault
	switch e := err.(type) {
	case Fault:
		return []Fault{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, Faults(one)...)
		}
		return all
	}
	if next := errors.Unwrap(err); next != nil {
		return Faults(next)
	}
	return nil
}
