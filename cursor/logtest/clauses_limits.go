package logtest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/cursor"
)

// checkLimits: what is stated is taken, and one more is refused, with both sides, and leaves nothing.
func checkLimits(t *trial) error {
	l := t.Log.Limits()
	for _, check := range []func(*trial, cursor.Limits) error{checkBatch, checkPayload, checkBatchBytes, checkEntities} {
		if err := check(t, l); err != nil {
			return err
		}
	}
	if again := t.Log.Limits(); again != l {
		return fmt.Errorf("the limits were %+v, and are %+v", l, again)
	}
	return nil
}

// atLimit appends a batch that is at a limit, and one that is over it.
func (t *trial) atLimit(name string, most int, at, over []cursor.Draft, index int) error {
	next := uint64(len(t.events))
	_, err := t.Log.Append(t.ctx, over)
	if err := blames(err, cursor.ErrLimit, index); err != nil {
		return fmt.Errorf("over %s: %w", name, err)
	}
	if got, ok := errors.AsType[*cursor.LimitError](err); !ok || got.Most != uint64(most) || got.Got != uint64(most)+1 {
		return fmt.Errorf("over %s: got %s; want a LimitError of %d, %d at most", name, said(err), most+1, most)
	}
	if b, err := t.Log.Bounds(t.ctx); err != nil || b.Next != next { // First may have moved: these are large
		return fmt.Errorf("over %s: the log's next is %d, %s; want %d", name, b.Next, said(err), next)
	}
	if _, err := t.batch(at...); err != nil {
		return fmt.Errorf("at %s: %w", name, err)
	}
	return nil
}

// sized returns a Draft with so large a payload.
func sized(n int) cursor.Draft {
	d := about("alice")
	d.Payload = make([]byte, n)
	return d
}

func checkBatch(t *trial, l cursor.Limits) error {
	if l.Batch == 0 {
		return nil
	}
	ds := make([]cursor.Draft, l.Batch+1)
	for i := range ds {
		ds[i] = about("alice")
	}
	return t.atLimit("Limits.Batch", l.Batch, ds[:l.Batch], ds, -1)
}

func checkPayload(t *trial, l cursor.Limits) error {
	if l.Payload == 0 || l.BatchBytes > 0 && l.BatchBytes < l.Payload {
		return nil // no payload is so large; checkBatchBytes goes up to the limit that there is
	}
	return t.atLimit("Limits.Payload", l.Payload, []cursor.Draft{sized(l.Payload)}, []cursor.Draft{sized(0), sized(l.Payload + 1)}, 1)
}

func checkBatchBytes(t *trial, l cursor.Limits) error {
	if l.BatchBytes == 0 {
		return nil
	}
	size := l.BatchBytes
	if l.Payload > 0 {
		size = min(size, l.Payload)
	}
	var ds []cursor.Draft
	for left := l.BatchBytes; left > 0; left -= size {
		ds = append(ds, sized(min(size, left)))
	}
	if l.Batch > 0 && len(ds) >= l.Batch {
		return nil // no batch is so large
	}
	return t.atLimit("Limits.BatchBytes", l.BatchBytes, ds, append(slices.Clip(ds), sized(1)), -1)
}

// checkEntities is the last: no entity can be added after it.
func checkEntities(t *trial, l cursor.Limits) error {
	if l.Entities == 0 {
		return nil
	}
	known := make(map[string]bool)
	for _, e := range t.events {
		known[e.Coordinate.String()] = true
	}
	for i := range l.Entities - len(known) - 1 {
		if _, err := t.batch(about(fmt.Sprintf("entity-%d", i))); err != nil {
			return fmt.Errorf("below Limits.Entities: %w", err)
		}
	}
	last, over := about("the last"), about("one more")
	if err := t.atLimit("Limits.Entities", l.Entities, []cursor.Draft{last}, []cursor.Draft{last, over}, 1); err != nil {
		return err
	}
	if _, err := t.batch(about("the last"), about("alice")); err != nil {
		return fmt.Errorf("entities that are known, at Limits.Entities: %w", err)
	}
	return nil
}
