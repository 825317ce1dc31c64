package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster/words"
)

// errEnded: the helper ended before it answered.
var errEnded = errors.New("the fault helper ended")

// besideNode joins the node's network, which it may program, and its processes, which it may signal. With the last of these it ends.
func besideNode(id string) *container.HostConfig {
	return &container.HostConfig{
		NetworkMode: container.NetworkMode("container:" + id), PidMode: container.PidMode("container:" + id),
		CapAdd: []string{"NET_ADMIN", "KILL", "SYS_PTRACE"}, AutoRemove: true,
	}
}

// beside is a words.Say: the helper that stays beside a node does it, which takes milliseconds where a container of its own takes the better part of
// a second. It is started when it is first needed, and again when it has ended, as it does with its node. A word that it did not answer is said to the
// next one: what the first may have done was done to a node that has ended since.
func (c *Control) beside(ctx context.Context, node string, said ...string) (string, error) {
	what := strings.Join(said, " ") + " on " + node
	for again := false; ; again = true {
		s, err := c.staying(ctx, node)
		if err != nil {
			return "", fmt.Errorf("fault helper on %s: %w", node, err)
		}
		a, err := s.ask(ctx, said)
		switch {
		case errors.Is(err, errEnded) && !again:
		case err != nil:
			return "", fmt.Errorf("%s: %w", what, err)
		default:
			return a.Out, words.Answer(what, a.Code, a.Complaint)
		}
	}
}

// post is where a node's helper stands.
type post struct {
	mu    sync.Mutex
	stays *stays
}

// staying is the node's helper, a new one if there is none that runs.
func (c *Control) staying(ctx context.Context, node string) (*stays, error) {
	id, err := c.container(node)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	p := c.posts[node]
	if p == nil {
		p = &post{}
		c.posts[node] = p
	}
	c.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stays == nil || p.stays.hasEnded() {
		if p.stays, err = c.station(ctx, id); err != nil {
			return nil, err
		}
	}
	return p.stays, nil
}

// station starts a helper. Its standard input is our connection: when that ends, at the latest with this process, so does the helper, and the engine
// removes it.
func (c *Control) station(ctx context.Context, id string) (*stays, error) {
	cfg := &container.Config{Cmd: []string{"stay"}, OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true}
	helper, err := c.create(ctx, cfg, besideNode(id))
	if err != nil {
		return nil, err
	}
	attached, err := c.cfg.Docker.ContainerAttach(ctx, helper, client.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		c.remove(ctx, helper)
		return nil, err
	}
	if _, err := c.cfg.Docker.ContainerStart(ctx, helper, client.ContainerStartOptions{}); err != nil {
		attached.Close()
		c.remove(ctx, helper)
		return nil, err
	}
	return listenTo(attached.Conn, attached.Reader), nil
}

// said and told are the two halves of a line each, as the fault image of CONTRACT.md reads and writes them.
type said struct {
	ID    int64    `json:"id"`
	Words []string `json:"words"`
}

type told struct {
	ID        int64  `json:"id"`
	Code      int    `json:"code"`
	Out       string `json:"out"`
	Complaint string `json:"complaint"`
}

// stays is a helper that stays.
type stays struct {
	to io.Writer
	// ended is closed when the helper has; why is set before.
	ended chan struct{}
	why   error

	mu      sync.Mutex
	asked   int64
	waiting map[int64]chan<- told
}

// listenTo is a helper that hears what is written to one end and is heard at the other, as the engine carries it, until that ends.
func listenTo(to io.WriteCloser, from io.Reader) *stays {
	s := &stays{to: to, waiting: map[int64]chan<- told{}, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		defer to.Close()
		s.why = s.listen(from)
	}()
	return s
}

func (s *stays) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// listen hands answers to whom they are for, until there are no more.
func (s *stays) listen(from io.Reader) error {
	out, to := io.Pipe()
	var complained bytes.Buffer
	go func() {
		_, err := stdcopy.StdCopy(to, &complained, from)
		to.CloseWithError(err)
	}()
	defer out.Close()
	for answers := json.NewDecoder(out); ; {
		var a told
		if err := answers.Decode(&a); err != nil {
			if !errors.Is(err, io.EOF) {
				return err
			}
			if text := strings.TrimSpace(complained.String()); text != "" {
				return errors.New(text)
			}
			return nil
		}
		s.mu.Lock()
		to := s.waiting[a.ID]
		delete(s.waiting, a.ID)
		s.mu.Unlock()
		if to != nil {
			to <- a
		}
	}
}

// ask says words and waits for the answer. One that comes after ctx has ended is dropped.
func (s *stays) ask(ctx context.Context, words []string) (told, error) {
	answer := make(chan told, 1)
	id, err := s.say(words, answer)
	if err != nil {
		return told{}, fmt.Errorf("%w: %w", errEnded, err)
	}
	select {
	case a := <-answer:
		return a, nil
	case <-s.ended:
		select {
		case a := <-answer: // it was the last thing it said
			return a, nil
		default:
		}
		if s.why != nil {
			return told{}, fmt.Errorf("%w: %w", errEnded, s.why)
		}
		return told{}, errEnded
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, id)
		return told{}, ctx.Err()
	}
}

func (s *stays) say(words []string, answer chan<- told) (id int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	line, err := json.Marshal(said{ID: s.asked, Words: words})
	if err != nil {
		return 0, err
	}
	s.waiting[s.asked] = answer
	_, err = s.to.Write(append(line, '\n'))
	return s.asked, err
}
