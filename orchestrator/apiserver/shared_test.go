package apiserver

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAnAnswerServesAllWhoAskSoon(t *testing.T) {
	now, asked := time.Unix(100, 0), 0
	var result error
	s := &shared{now: func() time.Time { return now }, ok: func(ctx context.Context) error {
		asked++
		if ctx.Err() != nil {
			t.Error("the check ends with the one who asked first")
		}
		return result
	}}
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	down := errors.New("no store")
	for _, row := range []struct {
		name   string
		after  time.Duration
		result error
		want   error
		asked  int
	}{
		{"first", 0, nil, nil, 1},
		{"soon after", answerAge / 2, down, nil, 1},
		{"later", answerAge / 2, down, down, 2},
		{"a failure serves as long", answerAge / 2, nil, down, 2},
		{"and no longer", answerAge / 2, nil, nil, 3},
	} {
		now, result = now.Add(row.after), row.result
		if err := s.check(gone); !errors.Is(err, row.want) || asked != row.asked {
			t.Errorf("%s: got %v after %d checks, want %v after %d", row.name, err, asked, row.want, row.asked)
		}
	}
}

func TestAStoreThatTakesItsTimeIsAsItWas(t *testing.T) {
	now := time.Unix(100, 0)
	hold := make(chan struct{})
	close(hold)
	s := &shared{now: func() time.Time { return now }, ok: func(context.Context) error { <-hold; return nil }}
	if err := s.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	hold = make(chan struct{})
	for _, row := range []struct {
		name  string
		after time.Duration
		want  error
	}{
		{"during an election", answerAge, nil},
		{"when it has taken too long", goodFor, errSlow},
	} {
		now = now.Add(row.after)
		if err := s.check(t.Context()); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	close(hold)
}
