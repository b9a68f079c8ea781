// The Kubernetes provider of the end-to-end tests, without the schema, which only SDK generators ask for.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

var version string

func main() {
	provider.Serve("kubernetes", version, []byte(`{"name":"kubernetes","version":"`+version+`"}`), []byte("{}"))
}
