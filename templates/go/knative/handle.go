// Package function is called by Knative's func contract.
package function

import (
	"fmt"
	"net/http"
	"strings"
)

// Handle answers each request.
func Handle(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "world"
	}
	fmt.Fprintf(w, "Hello, %s!\n", name)
}
