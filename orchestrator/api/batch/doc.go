// Package batch is the catalogue of the batch group: jobs and cron jobs.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package batch
