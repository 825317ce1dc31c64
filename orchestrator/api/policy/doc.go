// Package policy is the catalogue of the policy group: disruption budgets.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package policy
