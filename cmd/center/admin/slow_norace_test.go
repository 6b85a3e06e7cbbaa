//go:build !race

package admin_test

const racing = false
