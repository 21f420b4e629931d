package disklog

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

var errMissing = errors.New("it is missing")

// row calls f with what was sealed under a key; it is the engine's. An error that isNotFound holds for says that there is nothing;
// others are as damaged and corrupt make them, f's too.
func (l *Log) row(key []byte, place string, f func(body []byte) error) error {
	err := guarded(func() error {
		value, closer, err := l.db.Get(key)
		if err != nil {
			return err
		}
		defer func() { _ = closer.Close() }()
		body, _, err := block.Unseal(l.id, key, value)
		if err == nil {
			err = f(body)
		}
		if err != nil {
			return l.corrupt(place, err)
		}
		return nil
	})
	if isNotFound(err) {
		return err
	}
	return l.damaged(place, err)
}

// needed returns row's error where there has to be one.
func (l *Log) needed(place string, err error) error {
	if isNotFound(err) {
		return l.corrupt(place, errMissing)
	}
	return err
}

func isNotFound(err error) bool { return errors.Is(err, pebble.ErrNotFound) }

// rows calls f with each row from one key to another.
func (l *Log) rows(from, to []byte, f func(key, value []byte) error) error {
	iter, err := l.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { _ = iter.Close() }()
	for ok := iter.First(); ok; ok = iter.Next() {
		value, err := iter.ValueAndErr()
		if err != nil {
			return err
		}
		if err := f(iter.Key(), value); err != nil {
			return err
		}
	}
	return iter.Error()
}
