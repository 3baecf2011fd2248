package event

import "strings"

// unknownService starts the service name that SDKs make up where nobody gave one.
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

// isShownAsSource reports whether the service name is the source, and need not be shown among the
// attributes of the resource. Where the scope has the same name it is shown, or the way back could
// not tell whose name the source is.
func isShownAsSource(serviceName, scopeName string) bool {
	return IsServiceName(serviceName) && serviceName != scopeName
}

// CheckSource returns the fault of a source; nil for none.
func CheckSource(source string) *Fault {
	switch {
	case source == "":
		return NewFault(ReasonMissing, "must not be empty")
	case !IsServiceName(source):
		return NewFault(ReasonValue, "is %q, but the prefix %s marks sources without a name: choose another", Shorten(source), unknownService)
	}
	return nil
}
