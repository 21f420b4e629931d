//go:build !spillway_sabotage

package core

func sabotage() bool { return false }
