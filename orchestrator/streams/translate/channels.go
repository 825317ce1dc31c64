package translate

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	executor "k8s.io/client-go/tools/remotecommand"
)

// channels of one WebSocket: the first byte of each message says which one it belongs to.
type channels struct {
	ws     *websocket.Conn
	stdin  *io.PipeReader
	input  *io.PipeWriter
	sizes  chan executor.TerminalSize
	sendMu sync.Mutex
}

// maxSizes that wait; a terminal that is resized faster than that loses the ones between.
const maxSizes = 16

func newChannels(ws *websocket.Conn) *channels {
	c := &channels{ws: ws, sizes: make(chan executor.TerminalSize, maxSizes)}
	c.stdin, c.input = io.Pipe()
	return c
}

// receive sorts messages until the client leaves.
func (c *channels) receive(ctx context.Context) {
	defer c.input.Close()
	for ctx.Err() == nil {
		_, message, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		if len(message) == 0 {
			continue
		}
		c.dispatch(message[0], message[1:])
	}
}

func (c *channels) dispatch(channel byte, data []byte) {
	switch channel {
	case remotecommand.StreamStdIn:
		_, _ = c.input.Write(data) // the command has ended or closed its input: its end says more
	case remotecommand.StreamResize:
		var size executor.TerminalSize
		if json.Unmarshal(data, &size) != nil {
			return
		}
		select {
		case c.sizes <- size:
		default:
		}
	case remotecommand.StreamClose:
		if len(data) == 1 && data[0] == remotecommand.StreamStdIn {
			c.input.Close()
		}
	}
}

func (c *channels) writer(channel byte) io.Writer { return output{c, channel} }

type output struct {
	c       *channels
	channel byte
}

func (o output) Write(p []byte) (int, error) {
	if err := o.c.send(o.channel, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *channels) send(channel byte, data []byte) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	return c.ws.WriteMessage(websocket.BinaryMessage, append([]byte{channel}, data...))
}

// finish tells how it ended, and closes.
func (c *channels) finish(status *metav1.Status) {
	c.stdin.Close() // frees a receive that waits for a reader
	data, err := json.Marshal(status)
	if err == nil {
		_ = c.send(remotecommand.StreamErr, data) // the client may be gone
	}
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	c.ws.Close()
}

// queue hands sizes to the executor.
type queue struct {
	ctx   context.Context
	sizes chan executor.TerminalSize
}

// Next implements remotecommand's TerminalSizeQueue; nil ends it.
func (q *queue) Next() *executor.TerminalSize {
	select {
	case size := <-q.sizes:
		return &size
	case <-q.ctx.Done():
		return nil
	}
}
