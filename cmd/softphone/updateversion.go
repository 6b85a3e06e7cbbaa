package main

import (
	"cmp"
	"strconv"
	"strings"
)

// newer says whether version a comes after b (Semantic Versioning 2.0.0 §11; what is missing is zero). What is no version never does.
func newer(a, b string) bool {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	mainA, preA, isPreA := strings.Cut(a, "-")
	mainB, preB, isPreB := strings.Cut(b, "-")
	if strings.Trim(mainA, "0123456789.") != "" || mainA == "" {
		return false
	}
	if order := compareParts(mainA, mainB); order != 0 {
		return order > 0
	}
	if !isPreA || !isPreB {
		return !isPreA && isPreB // a version before its release is older
	}
	return compareParts(preA, preB) > 0
}

// compareParts compares what dots part, number by number; words come after numbers.
func compareParts(a, b string) int {
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(left), len(right)) {
		l, r := partOf(left, i), partOf(right, i)
		n, notL := strconv.ParseUint(l, 10, 64)
		m, notR := strconv.ParseUint(r, 10, 64)
		order := cmp.Compare(n, m)
		switch {
		case notL != nil && notR != nil:
			order = strings.Compare(l, r)
		case notL != nil:
			order = 1
		case notR != nil:
			order = -1
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

func partOf(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return "0"
}
