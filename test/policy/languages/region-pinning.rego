package regions

import rego.v1

# Data is stored in the European Union, and read from anywhere.
pinned := {"eu-central-1", "eu-west-1"}

default allow := false

allow if input.action == "data:read"

allow if {
	input.action == "data:store"
	input.body.region in pinned
}

deny_reason := "data is stored in eu-central-1 or eu-west-1" if {
	input.action == "data:store"
	not allow
}
