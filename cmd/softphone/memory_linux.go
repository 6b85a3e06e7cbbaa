package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryAllowed is the smallest limit of the control groups that this process is in, in bytes; 0: there is none. root is "/" but in tests.
func memoryAllowed(root string) int64 {
	data, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(data)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3) // cgroups(7): number, controllers, path
		if len(part) != 3 {
			continue
		}
		switch {
		case part[1] == "": // version 2
			least = lesser(least, memoryOf(filepath.Join(root, "sys/fs/cgroup"), part[2], "memory.max"))
		case part[1] == "memory":
			least = lesser(least, memoryOf(filepath.Join(root, "sys/fs/cgroup/memory"), part[2], "memory.limit_in_bytes"))
		}
	}
	return least
}

// memoryOf is the smallest limit of a group and those around it.
func memoryOf(top, group, file string) (least int64) {
	for group = filepath.Clean("/" + group); ; group = filepath.Dir(group) {
		if data, err := os.ReadFile(filepath.Join(top, group, file)); err == nil {
			n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // "max" is none
			if err == nil && n < 1<<60 {                                        // version 1 says a number near the largest for none
				least = lesser(least, n)
			}
		}
		if group == "/" {
			return least
		}
	}
}

// lesser is the smaller of two limits, of which 0 is none.
func lesser(a, b int64) int64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
