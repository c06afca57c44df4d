// Package function counts the words it is sent, in the shape of Knative's func.
package function

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

type Counter struct{ most int }

// New is called once for each instance.
func New() *Counter { return &Counter{most: 1 << 20} }

func (c *Counter) Handle(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(c.most)))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]int{"words": len(strings.Fields(string(text)))})
}
