package logtest

import "slices"

// The clauses' names.
const (
	identity    = "identity"
	beginsEmpty = "begins empty"
	answers     = "answers with what was appended"
	movesOn     = "moves on"
	reads       = "reads what was appended"
	counts      = "an entity's clock counts"
	forward     = "the log's clock goes forward"
	byRegion    = "reads by region"
	beyond      = "beyond the end is said"
	badRegion   = "bad regions are refused"
	expects     = "expectations"
	allOrNone   = "all or none"
	repeats     = "repeats are answered as the first time"
	remembers   = "repeats are recognized as long as stated"
	limits      = "limits are as stated"
	compacted   = "compacted is said"
	keepsClocks = "clocks outlive events"
	payloads    = "payloads stay as they are"
	contexts    = "a context that is over does nothing"
	waits       = "Wait sleeps and wakes"
	closes      = "closed is closed"
	concurrent  = "many at once"
	contests    = "of several at once one is first"
	overtaken   = "nothing is lost between a Read and retention"
	closesUnder = "Close ends what is under way"
	nodes       = "several nodes append to one log"
	reopened    = "opened again it goes on"
)

// sound is what every clause but the first few rests on.
var sound = []string{beginsEmpty, answers, movesOn, reads}

// also returns sound and more.
func also(more ...string) []string { return slices.Concat(sound, more) }

// clauses are in order: each after those that it needs.
var clauses = []clause{
	{identity, nil, checkIdentity},
	{beginsEmpty, nil, checkBeginsEmpty},
	{answers, []string{beginsEmpty}, checkAnswers},
	{movesOn, []string{beginsEmpty, answers}, checkMovesOn},
	{reads, []string{beginsEmpty, answers, movesOn}, checkReads},
	{counts, sound, checkCounts},
	{forward, sound, checkForward},
	{byRegion, also(counts), checkByRegion},
	{beyond, sound, checkBeyond},
	{badRegion, sound, checkBadRegion},
	{expects, sound, checkExpects},
	{allOrNone, also(expects, counts), checkAllOrNone},
	{repeats, also(expects, counts), checkRepeats},
	{remembers, also(repeats), checkRemembers},
	{limits, also(allOrNone), checkLimits},
	{compacted, sound, checkCompacted},
	{keepsClocks, also(counts, expects, compacted), checkKeepsClocks},
	{payloads, also(compacted), checkPayloads},
	{contexts, sound, checkContexts},
	{waits, also(contexts), checkWaits},
	{closes, also(identity, waits), checkCloses},
	{concurrent, also(counts, byRegion, waits), checkConcurrent},
	{contests, also(expects, repeats, concurrent), checkContests},
	{overtaken, also(byRegion, compacted), checkOvertaken},
	{reopened, also(counts, forward, expects, repeats, closes), checkReopened},
	{closesUnder, also(closes, concurrent, reopened), checkClosesUnder},
	{nodes, also(byRegion, forward, expects, repeats, waits, closes), checkNodes},
}
