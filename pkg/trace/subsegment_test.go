package trace_test

import (
	"encoding/json"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/pkg/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDaemonAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                      "",
		"169.254.79.129:2000":                   "169.254.79.129:2000",
		" 127.0.0.1:2000 ":                      "127.0.0.1:2000",
		"udp:127.0.0.1:2000":                    "127.0.0.1:2000",
		"tcp:127.0.0.1:2000":                    "",
		"tcp:127.0.0.1:2000 udp:127.0.0.2:2001": "127.0.0.2:2001",
		"udp:127.0.0.2:2001 tcp:127.0.0.1:2000": "127.0.0.2:2001",
		"127.0.0.1:2000 127.0.0.1:2001":         "",
	} {
		if got := trace.DaemonAddress(text); got != want {
			t.Errorf("DaemonAddress(%q) = %q, want %q", text, got, want)
		}
	}
}

// daemon listens as the X-Ray daemon does.
func daemon(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// received reads a datagram, and its document.
func received(t *testing.T, conn net.PacketConn) map[string]any {
	t.Helper()
	buffer := make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := conn.ReadFrom(buffer)
	if err != nil {
		t.Fatalf("no datagram: %v", err)
	}
	head, text, _ := strings.Cut(string(buffer[:n]), "\n")
	if head != `{"format":"json","version":1}` {
		t.Errorf("first line = %q", head)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("segment %q: %v", text, err)
	}
	return doc
}

// newRecorder counts ids up, and its clock advances by 1.5 s at each reading.
func newRecorder(t *testing.T, address string) *trace.Recorder {
	t.Helper()
	now, id := time.UnixMicro(1_800_000_000_000_250), uint64(0)
	r := trace.NewRecorder(trace.RecorderOptions{
		Address: address,
		Now:     func() time.Time { now = now.Add(1500 * time.Millisecond); return now },
		Rand:    func() uint64 { id++; return id - 1 },
	})
	t.Cleanup(r.Close)
	return r
}

func TestSubsegment(t *testing.T) {
	t.Parallel()
	conn := daemon(t)
	r := newRecorder(t, conn.LocalAddr().String())
	h, _ := trace.Parse(root + ";" + parent + ";Sampled=1;Lineage=1:a:0")
	s, below := r.Begin(h)
	if got, want := below.String(), root+";Parent=0000000000000001;Sampled=1;Lineage=1:a:0"; got != want {
		t.Errorf("header = %q, want %q", got, want)
	}
	s.End(trace.Call{
		Service: "SFN", Operation: "StartSyncExecution", Region: "eu-west-1", RequestID: "req-1", Status: 400, Retries: 2,
		Error: true, Throttle: true,
		Annotations: map[string]string{"route": "orders"}, Metadata: map[string]string{"executionArn": "arn"},
	})
	want := map[string]any{
		"name": "SFN", "id": "0000000000000001", "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "parent_id": "53995c3f42cd8ad8",
		"type": "subsegment", "start_time": 1800000001.50025, "end_time": 1800000003.00025, "namespace": "aws",
		"aws":  map[string]any{"operation": "StartSyncExecution", "region": "eu-west-1", "request_id": "req-1", "retries": 2.0},
		"http": map[string]any{"response": map[string]any{"status": 400.0}}, "error": true, "throttle": true,
		"annotations": map[string]any{"route": "orders"}, "metadata": map[string]any{"expressway": map[string]any{"executionArn": "arn"}},
	}
	if diff := cmp.Diff(want, received(t, conn)); diff != "" {
		t.Errorf("segment (-want +got):\n%s", diff)
	}
}

// Without a decision to sample, a parent or a recorder, the header is unchanged.
func TestNoSubsegment(t *testing.T) {
	t.Parallel()
	r := newRecorder(t, "127.0.0.1:1")
	for _, text := range []string{
		"", root, root + ";" + parent, root + ";" + parent + ";Sampled=0", root + ";" + parent + ";Sampled=?", root + ";Sampled=1",
	} {
		h, _ := trace.Parse(text)
		if s, below := r.Begin(h); s != nil || below.String() != text {
			t.Errorf("%q: subsegment %v and header %q, want none and the same", text, s, below)
		}
	}
	none := trace.NewRecorder(trace.RecorderOptions{})
	h, _ := trace.Parse(root + ";" + parent + ";Sampled=1")
	s, below := none.Begin(h)
	if s != nil || below.String() != h.String() {
		t.Error("a recorder without an address has a subsegment")
	}
	s.End(trace.Call{})
	none.Close()
}

// A missing daemon causes neither an error nor a wait.
func TestNoDaemon(t *testing.T) {
	t.Parallel()
	gone := daemon(t)
	address := gone.LocalAddr().String()
	_ = gone.Close()
	h, _ := trace.Parse(root + ";" + parent + ";Sampled=1")
	for _, address := range []string{address, "nowhere", "nobody.invalid:2000", "127.0.0.1:http-not-a-port"} {
		r := newRecorder(t, address)
		began := time.Now()
		for range 100 {
			s, _ := r.Begin(h)
			s.End(trace.Call{Service: "SFN"})
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: 100 subsegments took %v", address, took)
		}
	}
}

// X-Ray accepts the random ids.
func TestIDs(t *testing.T) {
	t.Parallel()
	r := trace.NewRecorder(trace.RecorderOptions{Address: "127.0.0.1:1"})
	h, _ := trace.Parse(root + ";" + parent + ";Sampled=1")
	seen := map[string]bool{}
	for range 100 {
		_, below := r.Begin(h)
		if id := below.Parent(); !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) || seen[id] {
			t.Fatalf("id %q is malformed or not new", id)
		}
		seen[below.Parent()] = true
	}
}
