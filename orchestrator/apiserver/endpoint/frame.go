package endpoint

import (
	"encoding/binary"
	"sync"

	"k8s.io/apimachinery/pkg/watch"
)

// frames are buffers in which events are put together: a watch needs one only while it sends.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// maxFrame is the largest buffer, in bytes, that is kept.
const maxFrame = 64 << 10

// frame sends one event, whose object is made of parts: a line of JSON, or a length-prefixed protobuf message.
func (s *stream) frame(event watch.EventType, object ...[]byte) error {
	buffer := frames.Get().(*[]byte)
	frame := (*buffer)[:0]
	if s.form.media == mediaProtobuf {
		frame = appendMessage(frame, event, object)
	} else {
		frame = append(frame, `{"type":"`...)
		frame = append(frame, event...)
		frame = append(frame, `","object":`...)
		for _, part := range object {
			frame = append(frame, part...)
		}
		frame = append(frame, "}\n"...)
	}
	_, err := s.w.Write(frame)
	if cap(frame) <= maxFrame {
		*buffer = frame
		frames.Put(buffer)
	}
	return err
}

// appendMessage writes a WatchEvent: its type is field 1, and field 2 a RawExtension, whose field 1 is the object. Four bytes tell how long it is.
func appendMessage(to []byte, event watch.EventType, object [][]byte) []byte {
	size := 0
	for _, part := range object {
		size += len(part)
	}
	extension := headSize(size) + size
	to = binary.BigEndian.AppendUint32(to, uint32(headSize(len(event))+len(event)+headSize(extension)+extension))
	to = append(appendHead(to, 1, len(event)), event...)
	to = appendHead(appendHead(to, 2, extension), 1, size)
	for _, part := range object {
		to = append(to, part...)
	}
	return to
}

// sendFragment sends an event about an object of the stream's own kind.
func (s *stream) sendFragment(event watch.EventType, fragment []byte) error {
	if s.form.media != mediaProtobuf {
		return s.frame(event, s.head, fragment[1:])
	}
	s.scratch = appendHead(append(s.scratch[:0], s.head...), 2, len(fragment))
	return s.frame(event, s.scratch, fragment, noContent)
}

// beginning of every object in the stream: its type.
func (s *stream) beginning() []byte {
	gvk := s.gvk()
	if s.form.media == mediaProtobuf {
		return envelopeHead(gvk.GroupVersion().String(), gvk.Kind)
	}
	return []byte(`{"kind":"` + gvk.Kind + `","apiVersion":"` + gvk.GroupVersion().String() + `",`)
}
