package event

import "strings"

// unknownService is the prefix of the service name that SDKs use if none is configured.
const unknownService = "unknown_service"

// IsServiceName reports whether a service name names a service.
func IsServiceName(name string) bool { return name != "" && !strings.HasPrefix(name, unknownService) }

// SourceOf returns the source of a record: the service name of its resource, else the name of its
// scope.
func SourceOf(serviceName, scopeName string) string {
	if IsServiceName(serviceName) {
		return serviceName
	}
	return scopeName
}

// isShownAsSource reports whether the service name is the source and therefore not shown again
// among the attributes of the resource. If the scope has the same name it is shown: otherwise an
// event could not become its record again, since the source would be the name of the scope.
func isShownAsSource(serviceName, scopeName string) bool {
	return IsServiceName(serviceName) && serviceName != scopeName
}

// CheckSource returns what is wrong with a source, nil for nothing. The caller places the fault.
func CheckSource(source string) *Fault {
	if f := CheckName(source); f != nil {
		return f
	}
	if !IsServiceName(source) {
		return NewFault(ReasonValue, "is %q, but the prefix %s marks sources without a name: choose another", Shorten(source), unknownService)
	}
	return nil
}
