package main

import (
	"net/http/httptest"
	"testing"
)

func TestGreetsByName(t *testing.T) {
	w := httptest.NewRecorder()
	hello(w, httptest.NewRequest("GET", "/you", nil))
	if got := w.Body.String(); got != "Hello, you!\n" {
		t.Errorf("answered %q", got)
	}
}
