// Package cni speaks the Container Network Interface (spec 1.0 and 1.1) for the pod network: ADD, DEL, CHECK, GC, STATUS and VERSION.
//
// The container runtime starts one process per call and feeds it through environment and standard input. The package joins what allocation,
// link and hostport do. It imports nothing of k8s.io, so that the process starts in a few milliseconds.
package cni

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Environment of a call.
type Environment struct {
	Command, Container, NetNS, Interface string
}

// FromEnvironment reads the variables that the spec names.
func FromEnvironment() Environment {
	return Environment{
		Command:   os.Getenv("CNI_COMMAND"),
		Container: os.Getenv("CNI_CONTAINERID"),
		NetNS:     os.Getenv("CNI_NETNS"),
		Interface: os.Getenv("CNI_IFNAME"),
	}
}

// versions of the spec that are spoken, the newest last.
var versions = []string{"1.0.0", "1.1.0"}

// The error codes of the spec.
const (
	codeIncompatible       = 1
	codeInvalidEnvironment = 4
	codeIO                 = 5
	codeDecode             = 6
	codeInvalidConfig      = 7
	codeTryLater           = 11
	codeUnavailable        = 50
	// Codes from 100 on are the plugin's own.
	codeFailed = 100
)

// Failure is an error with its code.
type Failure struct {
	Code int
	Err  error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

func failure(code int, format string, args ...any) error {
	return &Failure{code, fmt.Errorf(format, args...)}
}

// Main serves one call and returns the exit code.
func Main(env Environment, in io.Reader, out io.Writer) int {
	config, result, err := call(env, in)
	if err != nil {
		code := codeFailed
		var f *Failure
		if errors.As(err, &f) {
			code = f.Code
		}
		return print(out, map[string]any{"cniVersion": spoken(config), "code": code, "msg": err.Error()}, 1)
	}
	if result == nil {
		return 0
	}
	return print(out, result, 0)
}

func print(out io.Writer, body any, exit int) int {
	if err := json.NewEncoder(out).Encode(body); err != nil {
		return 1
	}
	return exit
}

// spoken is the version to answer in.
func spoken(c *Config) string {
	if c != nil && slices.Contains(versions, c.CNIVersion) {
		return c.CNIVersion
	}
	return versions[len(versions)-1]
}

func call(env Environment, in io.Reader) (*Config, any, error) {
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, nil, failure(codeIO, "read the configuration: %w", err)
	}
	config := &Config{}
	if err := json.Unmarshal(raw, config); err != nil {
		return nil, nil, failure(codeDecode, "decode the configuration: %w", err)
	}
	if env.Command == "VERSION" {
		return config, map[string]any{"cniVersion": config.CNIVersion, "supportedVersions": versions}, nil
	}
	if !slices.Contains(versions, config.CNIVersion) {
		return config, nil, failure(codeIncompatible, "version %q is not one of %v", config.CNIVersion, versions)
	}
	result, err := dispatch(env, config)
	return config, result, err
}

func dispatch(env Environment, config *Config) (any, error) {
	switch env.Command {
	case "ADD":
		return add(env, config)
	case "DEL":
		return nil, del(env, config)
	case "CHECK":
		return nil, check(env, config)
	case "GC":
		return nil, collect(config)
	case "STATUS":
		return nil, status(config)
	}
	return nil, failure(codeInvalidEnvironment, "CNI_COMMAND=%q is not one of ADD, DEL, CHECK, GC, STATUS, VERSION", env.Command)
}
