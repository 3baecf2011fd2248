package telemetry

// Configuration is what the options said.
func (s *Service) Configuration() Config { return s.config }
