// Package judge measures rows of the bench, each in a process of its own, and says how each did against its target: what the
// gate and spillway bench have in common.
//
// A program that measures has to measure one thing when it is told to: Apart runs the program itself, with the arguments that
// make it do so, and reads the result from its output.
package judge
