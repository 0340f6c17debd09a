package main

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The one rule between arguments that is known here: a write-only argument and its version come
// together or not at all, as RequiredWith says in the real provider. A value may be unknown.
func (p *srv) ValidateResourceTypeConfig(_ context.Context, q *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	answer := &tfprotov5.ValidateResourceTypeConfigResponse{}
	config, err := q.Config.Unmarshal(p.res[q.TypeName].ValueType())
	if err != nil {
		return nil, err
	}
	if !config.IsKnown() || config.IsNull() {
		return answer, nil
	}
	var values map[string]tftypes.Value
	if err := config.As(&values); err != nil {
		return nil, err
	}
	for version, given := range values {
		name, isVersion := strings.CutSuffix(version, "_wo_version")
		if !isVersion {
			continue
		}
		if value, isThere := values[name+"_wo"]; isThere && value.IsNull() != given.IsNull() {
			answer.Diagnostics = append(answer.Diagnostics, &tfprotov5.Diagnostic{
				Severity: tfprotov5.DiagnosticSeverityError,
				Summary:  "Missing required argument",
				Detail:   version + ": all of `" + name + "_wo," + version + "` must be specified",
			})
		}
	}
	return answer, nil
}
