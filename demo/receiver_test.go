package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestReceiverCountsWhatComes(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef01234567")
	var shown []webhook
	r := &receiver{
		key: secret, show: func(w webhook) { shown = append(shown, w) },
		ids: map[string]int{}, got: map[string]int{}, expected: map[string]int{}, news: make(chan struct{}, 1),
	}
	post := func(id, action, body string, key []byte) int {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + ".1700000000." + body))
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks", strings.NewReader(body))
		request.Header.Set("webhook-id", id)
		request.Header.Set("webhook-timestamp", "1700000000")
		request.Header.Set("webhook-signature", "v1,AAAA v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		request.Header.Set("X-VAP-WEBHOOK-ACTION", action)
		answer := httptest.NewRecorder()
		r.receive(answer, request)
		return answer.Code
	}
	for _, w := range []struct {
		id, action, body string
		key              []byte
		code             int
	}{
		{"a", "onAfterSaveReservation", `{"id":"7","status":"C"}`, secret, 200},
		{"a", "onAfterSaveReservation", `{"id":"7","status":"C"}`, secret, 200}, // again
		{"b", "onStatusChangeReservation", `{"id":3,"id_order":7,"status":"C"}`, secret, 200},
		{"c", "onAfterDeleteReservation", `{"id":[7,8]}`, []byte("another key"), 200},
		{"d", "onAfterSaveReservation", `[]`, secret, 400},
	} {
		if code := post(w.id, w.action, w.body, w.key); code != w.code {
			t.Errorf("%s %s: answer %d, want %d", w.action, w.body, code, w.code)
		}
	}
	if len(shown) != 4 {
		t.Errorf("%d webhooks shown, want 4", len(shown))
	}

	wanted := append(made(7, "C"), key("onAfterDeleteReservation", 7, 8))
	lost, err := r.wait(t.Context(), wanted, nil)
	if err != nil || len(lost) != 0 {
		t.Errorf("lost %q, %v; all had come", lost, err)
	}
	if got, want := r.counts(), (counts{expected: 3, received: 3, repeated: 1, unsigned: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}

	ended := make(chan struct{})
	close(ended)
	if _, err := r.wait(t.Context(), []string{saved(9)}, ended); err == nil {
		t.Error("no error, though the daemon ended while a webhook was missing")
	}
	if missing := r.missing(); !slices.Equal(missing, []string{"onAfterSaveReservation #9"}) {
		t.Errorf("missing %q", missing)
	}
}

func TestWebhookFields(t *testing.T) {
	t.Parallel()
	w := webhook{payload: map[string]any{"id": 1.0, "status": "W", "purchaser_phone": "", "total_cost": 38.0, "code": nil}}
	if got := strings.Join(w.fields(), ", "); got != "status W, total_cost 38" {
		t.Errorf("fields %q", got)
	}
}
