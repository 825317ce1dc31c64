// Package orchestrator is the roof of the reference orchestrator: README.md beside this file tells the life of a Pod and names the room of
// each step. It holds no code but the tests that guard the house: which room may import which, and that each says what it is for.
package orchestrator
