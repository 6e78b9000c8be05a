package scopes

import rego.v1

# Which services an agent may call; whoever is not listed may call nothing.
services := {
	"acme/desk": {"flights", "hotels"},
	"acme/research": {"web"},
}

default allow := false

allow if {
	some service in services[input.caller.name]
	startswith(input.action, concat("", [service, ":"]))
	not administrative
}

administrative if input.risk == "administrative"

deny_reason := "no agent may do administrative work" if administrative

deny_reason := "the agent is not scoped to the service" if {
	not allow
	not administrative
}
