package fault

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
)

// line is a connection to a server of a node that is kept open: it ends when that node does.
type line struct {
	conn net.Conn
	in   *bufio.Reader
}

// dialled opens a line and has it answer once. Whose certificate it is does not matter here.
func dialled(ctx context.Context, address string) (*line, error) {
	limited, cancel := context.WithTimeout(ctx, budget.ProbeAnswer.Limit())
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(limited, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	l := &line{conn: conn, in: bufio.NewReader(conn)}
	return l, l.ask()
}

// ask sends a request and reads the answer, whatever it says, in the whole time that a probe has. A line that has failed is closed, and fails from
// then on.
func (l *line) ask() error {
	err := l.conn.SetDeadline(time.Now().Add(budget.ProbeAnswer.Limit()))
	if err == nil {
		_, err = io.WriteString(l.conn, "GET /healthz HTTP/1.1\r\nHost: "+l.conn.RemoteAddr().String()+"\r\n\r\n")
	}
	if err == nil {
		err = l.read()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("ask %s: %w", l.conn.RemoteAddr(), err), l.conn.Close())
	}
	return nil
}

func (l *line) read() error {
	answer, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if answer.Close {
		err = errors.Join(err, errors.New("it keeps no connection open"))
	}
	return errors.Join(err, answer.Body.Close())
}
