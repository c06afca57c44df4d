package function

import (
	"net/http/httptest"
	"testing"
)

func TestGreetsByName(t *testing.T) {
	w := httptest.NewRecorder()
	Handle(w, httptest.NewRequest("GET", "/you", nil))
	if got := w.Body.String(); got != "Hello, you!\n" {
		t.Errorf("answered %q", got)
	}
}
