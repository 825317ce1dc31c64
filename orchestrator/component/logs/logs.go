// Package logs gives every component the same leveled, structured log: log/slog on standard error, with stock's -v and --logging-format.
//
// -v=0 prints warnings, errors and notices (slog.Info); each larger number lets one more level of detail through, as klog's does:
// V(n) is slog.LevelInfo - n. Libraries that log with klog are routed into the same stream.
package logs

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// Options are the log flags of a component.
type Options struct {
	Verbosity int
	Format    string
	Output    io.Writer

	level slog.LevelVar
}

// AddFlags registers -v and --logging-format and returns where their values go.
func AddFlags(fs *pflag.FlagSet) *Options {
	o := &Options{Output: os.Stderr}
	fs.IntVarP(&o.Verbosity, "v", "v", 0, "how detailed the log is: 0 to 10")
	fs.StringVar(&o.Format, "logging-format", "text", "text or json")
	return o
}

// V is the level of detail n: visible with -v=n and above.
func V(n int) slog.Level { return slog.LevelInfo - slog.Level(n) }

// SetVerbosity changes -v of every logger that came from these options.
func (o *Options) SetVerbosity(n int) { o.level.Set(V(n)) }

// Logger returns the component's logger and makes the first one the process's default, for klog too.
func (o *Options) Logger(component string) (*slog.Logger, error) {
	o.SetVerbosity(o.Verbosity)
	opts := &slog.HandlerOptions{Level: &o.level, ReplaceAttr: levelName}
	var handler slog.Handler
	switch o.Format {
	case "text", "":
		handler = slog.NewTextHandler(o.Output, opts)
	case "json":
		handler = slog.NewJSONHandler(o.Output, opts)
	default:
		return nil, fmt.Errorf("--logging-format=%s: must be text or json", o.Format)
	}
	logger := slog.New(handler).With("component", component)
	once.Do(func() {
		slog.SetDefault(logger)
		klog.SetSlogLogger(logger)
	})
	return logger, nil
}

// once: klog's logger must not change while anything may log, so the first of several components in one process decides what the default is.
var once sync.Once

// levelName writes V(3) as INFO-3 would read badly: it becomes V3.
func levelName(_ []string, a slog.Attr) slog.Attr {
	if a.Key != slog.LevelKey {
		return a
	}
	level, ok := a.Value.Any().(slog.Level)
	if ok && level < slog.LevelInfo {
		a.Value = slog.StringValue(fmt.Sprintf("V%d", slog.LevelInfo-level))
	}
	return a
}
