package top

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// Subscriptions are all that a server has, or the first of them.
type Subscriptions []Subscription

// Trouble is why nothing comes; nil when something does again.
type Trouble struct{ Err error }

// A Model is the screen. Stats, Subscriptions, Ended and Trouble are what it is told.
type Model struct {
	server        string
	last          Stats
	rates         Rates
	subscriptions Subscriptions
	ended         []Ended // the newest first
	trouble       error

	width, height int
	sort          int // an index of sorts
	filter        string
	typing        bool // the filter is being written
	from          int  // the first row that is shown
}

// New returns the Model of a server.
func New(server string) Model { return Model{server: server, width: 80, height: 24} }

// mostEnded is how many ends are kept to be shown.
const mostEnded = 100

// sorts are the orders of the table, by their keys.
var sorts = []struct {
	key, name string
	compare   func(a, b Subscription) int
}{
	{"f", "full", func(a, b Subscription) int {
		return cmp.Compare(b.Held*max(1, a.Capacity), a.Held*max(1, b.Capacity))
	}},
	{"h", "held", func(a, b Subscription) int { return cmp.Compare(b.Held, a.Held) }},
	{"l", "lost", func(a, b Subscription) int { return cmp.Compare(b.Lost, a.Lost) }},
	{"r", "region", func(a, b Subscription) int { return cmp.Compare(a.Region, b.Region) }},
}

// Init begins nothing: the command sends what comes.
func (m Model) Init() tea.Cmd { return nil }

// Update goes on with a message.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case Stats:
		m.rates, m.last, m.trouble = msg.Since(&m.last), msg, nil
	case Subscriptions:
		m.subscriptions = msg
	case Ended:
		m.ended = append([]Ended{msg}, m.ended[:min(len(m.ended), mostEnded-1)]...)
	case Trouble:
		m.trouble = msg.Err
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	m.from = min(m.from, max(0, len(m.rows())-1))
	return m, nil
}

func (m Model) key(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	name := k.String()
	if name == "ctrl+c" {
		return m, tea.Quit
	}
	if m.typing {
		switch name {
		case "enter":
			m.typing = false
		case "esc":
			m.typing, m.filter = false, ""
		case "backspace":
			if r := []rune(m.filter); len(r) > 0 {
				m.filter = string(r[:len(r)-1])
			}
		default:
			m.filter += k.Text
		}
		m.from = 0
		return m, nil
	}
	switch name {
	case "q":
		return m, tea.Quit
	case "/":
		m.typing = true
	case "esc":
		m.filter = ""
	case "down", "j":
		m.from = min(m.from+1, max(0, len(m.rows())-1))
	case "up", "k":
		m.from = max(0, m.from-1)
	case "home", "g":
		m.from = 0
	}
	for i, s := range sorts {
		if s.key == name {
			m.sort, m.from = i, 0
		}
	}
	return m, nil
}

// rows are the subscriptions that the filter leaves, in order.
func (m Model) rows() []Subscription {
	var rows []Subscription
	for _, s := range m.subscriptions {
		if strings.Contains(s.Region+" "+s.Sink+" "+s.Site, m.filter) {
			rows = append(rows, s)
		}
	}
	slices.SortStableFunc(rows, sorts[m.sort].compare)
	return rows
}

// View draws the screen.
func (m Model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	return v
}

// screen is the lines, none wider than the window and no more than it has.
func (m Model) screen() string {
	state := "live"
	if m.trouble != nil {
		state = "no answer: " + m.trouble.Error()
	}
	s, r := &m.last, &m.rates
	lines := []line{
		{fmt.Sprintf("spillway top  %s  %s", m.server, state), title},
		{fmt.Sprintf("events %s/s  matched %s/s  accepted %s/s  pruned %s/s  lost %s/s",
			Short(r.Broadcasts), Short(r.Matched), Short(r.Accepted), Short(r.Pruned), Short(r.Lost)), plain},
		{fmt.Sprintf("log %d to %d  streams %d  followers: %d live, %d behind by %d, %d parked",
			s.Log.First, s.Log.Next, s.Streams.Open, s.Followers.Live, s.Followers.CatchingUp, s.Followers.Lag, s.Followers.Parked), plain},
		{},
	}
	if m.trouble != nil {
		lines[0].style = bad
	}
	rows := m.rows()
	head := fmt.Sprintf("%d subscriptions by %s (f h l r)  / filter", len(rows), sorts[m.sort].name)
	if m.typing || m.filter != "" {
		head += ": " + m.filter
	}
	lines = append(lines, line{head, plain},
		line{fmt.Sprintf("%5s %8s %8s %8s  %-12s %s", "FULL", "HELD", "OF", "LOST", "SINK", "REGION"), quiet})
	ends := min(len(m.ended), max(0, m.height/4))
	room := max(0, m.height-len(lines)-ends-1)
	for i := m.from; i < len(rows) && room > 0; i++ {
		row := &rows[i]
		full, style := "-", plain
		if row.Capacity > 0 {
			percent := 100 * row.Held / row.Capacity
			full = fmt.Sprintf("%d%%", percent)
			if percent >= nearlyFull {
				style = warning
			}
		}
		lines = append(lines, line{fmt.Sprintf("%5s %8d %8d %8d  %-12s %s", full, row.Held, row.Capacity, row.Lost, row.Sink, row.Region), style})
		room--
	}
	for i := range ends {
		e := &m.ended[i]
		style := quiet
		if e.Verdict != "" {
			style = bad
		}
		lines = append(lines, line{time.UnixMilli(e.At).Format("15:04:05") + "  " + e.Line(), style})
	}
	var shown []string
	for _, l := range lines[:min(len(lines), max(1, m.height))] {
		shown = append(shown, l.style.Render(fit(l.text, m.width)))
	}
	return strings.Join(shown, "\n")
}

// A line of the screen, and how it looks where there are colours; where there are none its text says as much.
type line struct {
	text  string
	style lipgloss.Style
}

// nearlyFull is the share in percent from which on a subscription is shown as one that may be pruned soon.
const nearlyFull = 75

var (
	plain   = lipgloss.NewStyle()
	title   = lipgloss.NewStyle().Bold(true)
	quiet   = lipgloss.NewStyle().Faint(true)
	warning = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	bad     = lipgloss.NewStyle().Foreground(lipgloss.Red)
)

// fit cuts a line to a width, and has nothing in it that a terminal would obey.
func fit(line string, width int) string {
	var b strings.Builder
	n := 0
	for _, r := range line {
		if !unicode.IsPrint(r) {
			r = '·'
		}
		if n += lipgloss.Width(string(r)); n > width { // some are two cells wide
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
