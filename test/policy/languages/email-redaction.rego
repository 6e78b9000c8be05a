package redaction

import rego.v1

# Answers to customers carry no e-mail address.
address := `[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`

default allow := false

# A text that is none could carry addresses that no pattern finds.
allow if {
	input.action == "support:reply"
	is_string(object.get(input.body, "text", ""))
}

transform := object.union(input.body, {"text": strings.replace_n(found, input.body.text)}) if {
	input.action == "support:reply"
	found := {match[0]: "[redacted]" | some match in regex.find_all_string_submatch_n(address, input.body.text, -1)}
	count(found) > 0
}
