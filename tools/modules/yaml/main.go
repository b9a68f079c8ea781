// Reads and writes YAML as Helm, Flux and Kubernetes do, for the tests of what is written.
//
// Takes a list of requests in JSON, {"read": YAML} or {"write": JSON}, and gives a list of what comes of each: {"text": …}, JSON of
// what was read, YAML of what was written; or {"error": …}.
package main

import (
	"encoding/json"
	"log"
	"os"

	"sigs.k8s.io/yaml"
)

type request struct {
	Read  *string
	Write json.RawMessage
}

type answer struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func main() {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		log.Fatal(err)
	}
	answers := make([]answer, len(requests))
	for i, r := range requests {
		text, err := answerTo(r)
		answers[i].Text = string(text)
		if err != nil {
			answers[i].Error = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func answerTo(r request) ([]byte, error) {
	if r.Read != nil {
		return yaml.YAMLToJSON([]byte(*r.Read))
	}
	var value any
	if err := json.Unmarshal(r.Write, &value); err != nil {
		return nil, err
	}
	return yaml.Marshal(value) // Helm's toYaml
}
