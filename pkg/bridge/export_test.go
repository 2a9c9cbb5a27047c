package bridge

// ExecutionName is what Run names executions by.
var ExecutionName = executionName
