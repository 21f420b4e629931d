// Package regress compares what two builds of the bench measured, run in turns on one machine, and says which rows
// have become worse.
//
// What is compared of a row is its ratio to its baseline, which a busy neighbour moves less than a time; of rows
// without one the figure itself. A row is worse where its median is over the base's by more than a tenth and more than the row's noise on
// this machine, and so improbable by chance (Mann-Whitney U, corrected for the number of rows by Holm's method)
// that p < 0.05; or where it allocates more. Where the row's noise on this machine is not known it is taken to be what the base's runs
// differ by among themselves. Rows that only one side has, or that measure something else on
// each, are named and not compared.
package regress
