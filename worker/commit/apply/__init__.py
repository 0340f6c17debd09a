"""Writing journals into LightRAG's stores: in bulk, repeatable, and fenced by the lease's token."""
