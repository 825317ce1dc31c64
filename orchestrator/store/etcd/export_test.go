package etcd

// MemberTerm is for tests against an embedded member.
var MemberTerm = memberTerm
