package eventbufferprocessor

import "github.com/isbl/telemetry/internal/buffers"

// configuration is what the API shows of the configuration.
func (cfg *Config) configuration() buffers.Configuration {
	shown := buffers.Configuration{
		EventTypes: cfg.EventTypes, ExcludeEventTypes: cfg.ExcludeEventTypes, SamplingRate: cfg.SamplingRate,
		BufferSize: cfg.BufferSize, Overflow: cfg.Overflow, Ack: cfg.Ack,
	}
	for _, r := range cfg.SamplingRates {
		shown.SamplingRates = append(shown.SamplingRates, buffers.SamplingRate{EventType: r.EventType, MinSeverity: r.MinSeverity, Rate: *r.Rate})
	}
	if cfg.Overflow == overflowBlock {
		shown.MaxWait = cfg.maxWait().String()
	}
	return shown
}
