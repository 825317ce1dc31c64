package transcript

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// commandTime is how long one command may run before it counts as stuck.
const commandTime = 90 * time.Second

// shell runs command lines in a folder and an environment.
type shell struct {
	dir string
	env []string
}

// result of a command line.
type result struct {
	output string
	exit   int
}

// job is a command line that runs.
type job struct {
	shell  *shell
	cmd    *exec.Cmd
	screen *screen
	// input is what the command reads; of a command with a terminal it is the terminal.
	input io.WriteCloser
	tty   *os.File
	// output is where its words come from until shown is closed.
	output *os.File
	shown  chan struct{}
}

// run plays one command line with its acts. An error means that it could not be played to its end; what it showed is returned all the same.
func (s *shell) run(ctx context.Context, line string, acts []act) (result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, commandTime, fmt.Errorf("stuck for %s", commandTime))
	defer cancel()
	j, err := s.start(ctx, line, acts)
	if err != nil {
		return result{}, fmt.Errorf("start %q: %w", line, err)
	}
	for _, a := range acts {
		if err = j.act(ctx, a); err != nil {
			err = fmt.Errorf("%s: %w", a, err)
			cancel()
			break
		}
	}
	return j.wait(ctx, err)
}

func (s *shell) start(ctx context.Context, line string, acts []act) (*job, error) {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.WaitDelay = 5 * time.Second
	// The shell leads a group, so that an interruption reaches all of a pipeline, as from a keyboard.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	j := &job{shell: s, cmd: cmd, screen: newScreen(), shown: make(chan struct{})}
	if len(acts) > 0 && acts[0].verb == terminal {
		return j, j.startOnTerminal(acts[0].about)
	}
	return j, j.startOnPipes(acts)
}

func (j *job) startOnTerminal(about string) error {
	size, err := parseSize(about)
	if err != nil {
		return err
	}
	if j.tty, err = pty.StartWithSize(j.cmd, size); err != nil {
		return err
	}
	j.input = j.tty
	j.follow(j.tty)
	return nil
}

// startOnPipes gives both outputs one pipe, so that their order is kept. Only a command that something is sent to gets an input.
func (j *job) startOnPipes(acts []act) error {
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	j.cmd.Stdout, j.cmd.Stderr = in, in
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for _, a := range acts {
		if (a.verb == send || a.verb == end) && j.input == nil {
			if j.input, err = j.cmd.StdinPipe(); err != nil {
				return err
			}
		}
	}
	if err := j.cmd.Start(); err != nil {
		out.Close()
		return err
	}
	j.follow(out)
	return nil
}

func (j *job) follow(output *os.File) {
	j.output = output
	go func() {
		defer close(j.shown)
		j.screen.follow(output)
	}()
}

func (j *job) act(ctx context.Context, a act) error {
	switch a.verb {
	case expect:
		return j.screen.expect(ctx, a.about)
	case send:
		_, err := io.WriteString(j.input, a.about+"\n")
		return err
	case end:
		return j.end()
	case resize:
		size, err := parseSize(a.about)
		if err != nil {
			return err
		}
		return pty.Setsize(j.tty, size)
	case run:
		return j.runOther(ctx, a.about)
	case get:
		return j.get(ctx, a.about)
	case interrupt:
		return syscall.Kill(-j.cmd.Process.Pid, syscall.SIGINT)
	}
	return nil
}

func (j *job) end() error {
	if j.tty == nil {
		return j.input.Close()
	}
	_, err := j.tty.Write([]byte{4})
	return err
}

func (j *job) runOther(ctx context.Context, line string) error {
	r, err := j.shell.run(ctx, line, nil)
	if err == nil && r.exit != 0 {
		err = fmt.Errorf("exit code %d: %s", r.exit, r.output)
	}
	return err
}

var forwarded = regexp.MustCompile(`Forwarding from (127\.0\.0\.1:\d+)`)

// get sends one request through the forwarded port.
func (j *job) get(ctx context.Context, path string) error {
	match := forwarded.FindStringSubmatch(j.screen.String())
	if match == nil {
		return errors.New("nothing is forwarded yet")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+match[1]+path, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	fmt.Fprintf(j.screen, "%s %s: %s\n", path, answer.Status, strings.TrimSpace(string(body)))
	return err
}

// wait ends the job. played is what went wrong while it ran.
func (j *job) wait(ctx context.Context, played error) (result, error) {
	err := j.cmd.Wait()
	select {
	case <-j.shown:
	case <-time.After(j.cmd.WaitDelay): // a process that outlived the shell holds the pipe
	}
	j.output.Close()
	r := result{output: strings.ReplaceAll(j.screen.String(), "\r\n", "\n"), exit: exitCode(j.cmd.ProcessState)}
	var exit *exec.ExitError
	switch {
	case played != nil:
		return r, played
	case ctx.Err() != nil:
		return r, context.Cause(ctx)
	case err != nil && !errors.As(err, &exit):
		return r, err
	}
	return r, nil
}

// exitCode is what a shell would report: 128 and the signal for a process that a signal ended.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
