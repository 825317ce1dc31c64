// Package review is the catalogue of the reviews: kinds of several groups that are answered and never stored.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package review
