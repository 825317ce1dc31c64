package etcd

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// bridge carries etcd's own log lines into the component's log. What etcd calls information is detail to us.
type bridge struct {
	logger *slog.Logger
}

var _ zapcore.Core = bridge{}

func newBridge(logger *slog.Logger) *zap.Logger { return zap.New(bridge{logger}) }

// level maps zap's to slog's: Info is -v=2, Debug -v=6.
func level(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	case l == zapcore.InfoLevel:
		return slog.LevelInfo - 2
	}
	return slog.LevelInfo - 6
}

// Enabled implements zapcore.Core.
func (b bridge) Enabled(l zapcore.Level) bool {
	return b.logger.Enabled(context.Background(), level(l))
}

// With implements zapcore.Core.
func (b bridge) With(fields []zapcore.Field) zapcore.Core {
	return bridge{b.logger.With(attributes(fields)...)}
}

// Check implements zapcore.Core.
func (b bridge) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return checked.AddCore(e, b)
	}
	return checked
}

// Write implements zapcore.Core.
func (b bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	b.logger.Log(context.Background(), level(e.Level), e.Message, attributes(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (bridge) Sync() error { return nil }

// attributes turns fields into slog's, in their order.
func attributes(fields []zapcore.Field) []any {
	var all []any
	for _, f := range fields {
		encoder := zapcore.NewMapObjectEncoder()
		f.AddTo(encoder)
		for key, value := range encoder.Fields {
			all = append(all, slog.Any(key, value))
		}
	}
	return all
}
