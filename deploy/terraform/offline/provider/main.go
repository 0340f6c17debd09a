// A provider that knows only a schema: it validates and plans, and never calls AWS.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type attr struct {
	Type                         any
	Required, Optional, Computed bool
}
type nested struct {
	Nesting  string
	Block    block
	Min, Max int64
}
type block struct {
	Attributes map[string]attr
	Blocks     map[string]nested
}
type spec struct {
	Resource, Data map[string]block
	Provider       *block
}

func typ(v any) tftypes.Type {
	b, _ := json.Marshal(v)
	t, err := tftypes.ParseJSONType(b)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", b, err))
	}
	return t
}
func conv(b block, comp bool) *tfprotov5.SchemaBlock {
	out := &tfprotov5.SchemaBlock{}
	for n, a := range b.Attributes {
		out.Attributes = append(out.Attributes, &tfprotov5.SchemaAttribute{Name: n, Type: typ(a.Type), Required: a.Required, Optional: a.Optional && !a.Required, Computed: !writeOnly(n) && (a.Computed || (comp && !a.Required)), WriteOnly: writeOnly(n)})
	}
	for n, c := range b.Blocks {
		m := map[string]tfprotov5.SchemaNestedBlockNestingMode{"list": tfprotov5.SchemaNestedBlockNestingModeList, "set": tfprotov5.SchemaNestedBlockNestingModeSet, "single": tfprotov5.SchemaNestedBlockNestingModeSingle}[c.Nesting]
		out.BlockTypes = append(out.BlockTypes, &tfprotov5.SchemaNestedBlock{TypeName: n, Nesting: m, Block: conv(c.Block, comp), MinItems: c.Min, MaxItems: c.Max})
	}
	return out
}

// The provider's own convention: what ends so is taken, and kept in no state.
func writeOnly(name string) bool {
	return strings.HasSuffix(name, "_wo") && !strings.HasPrefix(name, "has_")
}

type srv struct {
	s                    spec
	res, data, ephemeral map[string]*tfprotov5.Schema
	prov                 *tfprotov5.Schema
}

func (p *srv) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	r := &tfprotov5.GetMetadataResponse{}
	for n := range p.res {
		r.Resources = append(r.Resources, tfprotov5.ResourceMetadata{TypeName: n})
	}
	for n := range p.data {
		r.DataSources = append(r.DataSources, tfprotov5.DataSourceMetadata{TypeName: n})
	}
	for n := range p.ephemeral {
		r.EphemeralResources = append(r.EphemeralResources, tfprotov5.EphemeralResourceMetadata{TypeName: n})
	}
	return r, nil
}
func (p *srv) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return &tfprotov5.GetProviderSchemaResponse{Provider: p.prov, ResourceSchemas: p.res, DataSourceSchemas: p.data, EphemeralResourceSchemas: p.ephemeral, ServerCapabilities: &tfprotov5.ServerCapabilities{PlanDestroy: false}}, nil
}
func (p *srv) PlanResourceChange(_ context.Context, q *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	b := p.s.Resource[q.TypeName]
	t := p.res[q.TypeName].ValueType()
	v, err := q.ProposedNewState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	if v.IsNull() {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: q.ProposedNewState}, nil
	}
	var m map[string]tftypes.Value
	if err := v.As(&m); err != nil {
		return nil, err
	}
	for n, a := range b.Attributes {
		if writeOnly(n) {
			m[n] = tftypes.NewValue(m[n].Type(), nil)
		} else if a.Computed && m[n].IsNull() {
			m[n] = tftypes.NewValue(m[n].Type(), tftypes.UnknownValue)
		}
	}
	dv, err := tfprotov5.NewDynamicValue(t, tftypes.NewValue(t, m))
	return &tfprotov5.PlanResourceChangeResponse{PlannedState: &dv}, err
}
func nope() []*tfprotov5.Diagnostic {
	return []*tfprotov5.Diagnostic{{Severity: tfprotov5.DiagnosticSeverityError, Summary: "schema-only provider", Detail: "this provider checks and plans; it cannot read or apply"}}
}

func main() {
	f := os.Getenv("AWS_SCHEMA_JSON")
	raw, err := os.ReadFile(f)
	if err != nil {
		log.Fatal(err)
	}
	p := &srv{res: map[string]*tfprotov5.Schema{}, data: map[string]*tfprotov5.Schema{}, ephemeral: ephemeralSchemas()}
	if err := json.Unmarshal(raw, &p.s); err != nil {
		log.Fatal(err)
	}
	for n, b := range p.s.Resource {
		p.res[n] = &tfprotov5.Schema{Block: conv(b, false)}
	}
	for n, b := range p.s.Data {
		p.data[n] = &tfprotov5.Schema{Block: conv(b, true)}
	}
	p.prov = &tfprotov5.Schema{Block: &tfprotov5.SchemaBlock{}}
	if p.s.Provider != nil {
		p.prov = &tfprotov5.Schema{Block: conv(*p.s.Provider, false)}
	}
	if err := tf5server.Serve("registry.terraform.io/hashicorp/aws", func() tfprotov5.ProviderServer { return p }); err != nil {
		log.Fatal(err)
	}
}
