// Package top shows what a server does, on a terminal or in plain lines: its rates, who is slow, and who was pruned.
//
// A Feed's messages go to a Model, which bubbletea runs; Line is what a pipe gets instead.
package top
