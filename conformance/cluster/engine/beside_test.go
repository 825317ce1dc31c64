package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// speaker is the far end of a helper.
type speaker struct {
	heard *json.Decoder
	voice *io.PipeWriter
}

func helperOf(t *testing.T) (*stays, *speaker) {
	t.Helper()
	hears, to := io.Pipe()
	from, voice := io.Pipe()
	s := listenTo(to, from)
	t.Cleanup(func() { voice.Close(); <-s.ended })
	return s, &speaker{json.NewDecoder(hears), voice}
}

func (s *speaker) hear(t *testing.T) said {
	t.Helper()
	var q said
	if err := s.heard.Decode(&q); err != nil {
		t.Fatal(err)
	}
	return q
}

// say writes to a stream, 1 or 2, in a frame of the engine.
func (s *speaker) say(t *testing.T, stream byte, text string) {
	t.Helper()
	frame := append([]byte{stream, 0, 0, 0, 0, 0, 0, 0}, text...)
	binary.BigEndian.PutUint32(frame[4:], uint32(len(text)))
	if _, err := s.voice.Write(frame); err != nil {
		t.Fatal(err)
	}
}

// asked is what came of a question that is under way.
type asked struct {
	told
	err error
}

func (s *stays) asking(ctx context.Context, words ...string) <-chan asked {
	c := make(chan asked, 1)
	go func() {
		a, err := s.ask(ctx, words)
		c <- asked{a, err}
	}()
	return c
}

func TestAnswersReachWhoAskedInAnyOrder(t *testing.T) {
	s, far := helperOf(t)
	first := s.asking(t.Context(), "dial", "2s", "172.28.0.10:6443")
	one := far.hear(t)
	second := s.asking(t.Context(), "mend")
	two := far.hear(t)
	if strings.Join(one.Words, " ") != "dial 2s 172.28.0.10:6443" || two.Words[0] != "mend" || one.ID == two.ID {
		t.Fatalf("heard %v and %v", one, two)
	}
	answer, err := json.Marshal([]told{{ID: two.ID, Out: "two"}, {ID: 99}, {ID: one.ID, Code: 1, Complaint: "no connection"}})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll(strings.Trim(string(answer), "[]"), "},{", "}\n{")
	far.say(t, 1, lines[:10]) // frames are cut anywhere
	far.say(t, 1, lines[10:]+"\n")
	if a := <-second; a.err != nil || a.Out != "two" {
		t.Errorf("%+v", a)
	}
	if a := <-first; a.err != nil || a.Code != 1 || a.Complaint != "no connection" {
		t.Errorf("%+v", a)
	}
}

func TestAHelperThatEndsAnswersNobody(t *testing.T) {
	s, far := helperOf(t)
	waiting := s.asking(t.Context(), "dropped")
	far.hear(t)
	far.say(t, 2, "fault: killed")
	far.voice.Close()
	if a := <-waiting; !errors.Is(a.err, errEnded) || !strings.Contains(a.err.Error(), "fault: killed") {
		t.Errorf("%+v", a)
	}
	if _, err := s.ask(t.Context(), []string{"mend"}); !errors.Is(err, errEnded) || !s.hasEnded() {
		t.Errorf("%v", err)
	}
}

func TestWhoGivesUpIsAnsweredAtOnce(t *testing.T) {
	s, far := helperOf(t)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := s.asking(ctx, "dial", "10s", "172.28.0.10:6443")
	far.hear(t)
	cancel()
	if a := <-waiting; !errors.Is(a.err, context.Canceled) || len(s.waiting) != 0 {
		t.Errorf("%+v", a)
	}
}
