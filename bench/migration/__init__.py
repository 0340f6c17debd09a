"""What the case about moving workspaces needs: a folder to move, and a plain copy beside it."""
