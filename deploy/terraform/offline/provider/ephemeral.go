package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The package of types knows no ephemeral resources; these two, which we use, are written down
// here after the provider's own pages.
var ephemeralTypes = map[string]block{
	"aws_secretsmanager_random_password": {Attributes: map[string]attr{
		"exclude_characters":         {Type: "string", Optional: true},
		"exclude_lowercase":          {Type: "bool", Optional: true},
		"exclude_numbers":            {Type: "bool", Optional: true},
		"exclude_punctuation":        {Type: "bool", Optional: true},
		"exclude_uppercase":          {Type: "bool", Optional: true},
		"include_space":              {Type: "bool", Optional: true},
		"password_length":            {Type: "number", Optional: true},
		"random_password":            {Type: "string", Computed: true},
		"region":                     {Type: "string", Optional: true, Computed: true},
		"require_each_included_type": {Type: "bool", Optional: true},
	}},
	"aws_secretsmanager_secret_version": {Attributes: map[string]attr{
		"arn":            {Type: "string", Computed: true},
		"created_date":   {Type: "string", Computed: true},
		"region":         {Type: "string", Optional: true, Computed: true},
		"secret_binary":  {Type: "string", Computed: true},
		"secret_id":      {Type: "string", Required: true},
		"secret_string":  {Type: "string", Computed: true},
		"version_id":     {Type: "string", Optional: true, Computed: true},
		"version_stage":  {Type: "string", Optional: true, Computed: true},
		"version_stages": {Type: []any{"list", "string"}, Computed: true},
	}},
}

func ephemeralSchemas() map[string]*tfprotov5.Schema {
	schemas := map[string]*tfprotov5.Schema{}
	for name, b := range ephemeralTypes {
		schemas[name] = &tfprotov5.Schema{Block: conv(b, false)}
	}
	return schemas
}

// Every text that AWS would give is a fixed one.
func (p *srv) OpenEphemeralResource(_ context.Context, q *tfprotov5.OpenEphemeralResourceRequest) (*tfprotov5.OpenEphemeralResourceResponse, error) {
	t := p.ephemeral[q.TypeName].ValueType()
	v, err := q.Config.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	var m map[string]tftypes.Value
	if err := v.As(&m); err != nil {
		return nil, err
	}
	for n, a := range ephemeralTypes[q.TypeName].Attributes {
		if x := m[n]; a.Computed && x.IsNull() && x.Type().Is(tftypes.String) {
			m[n] = tftypes.NewValue(tftypes.String, "mock-"+n)
		}
	}
	dv, err := tfprotov5.NewDynamicValue(t, tftypes.NewValue(t, m))
	return &tfprotov5.OpenEphemeralResourceResponse{Result: &dv}, err
}
