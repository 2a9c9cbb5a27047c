package devserver

import (
	"fmt"
	"os"

	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

func loadMocks(path string) (*tasks.MockConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read SFN_MOCK_CONFIG: %w", err)
	}
	mocks, err := tasks.LoadMocks(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return mocks, nil
}
