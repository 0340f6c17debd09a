"""A real worker asks the ECS agent to be spared while it works."""

import asyncio

from shared.ledger.records import TaskState
from tests.ecs_agent import served_agent
from tests.integration.worker.processes import Stack


async def test_a_worker_with_work_is_protected_and_works_on_when_the_agent_refuses(
    stack: Stack,
) -> None:
    with served_agent() as agent:
        agent.refusals.append((400, b'{"error": {"Code": "AccessDeniedException"}}'))
        worker = await stack.worker(ECS_AGENT_URI=agent.uri)
        task = await stack.upload("doc")
        assert (await asyncio.to_thread(agent.next))["ProtectionEnabled"] is True
        await worker.says("AccessDeniedException")
        [ended] = await stack.end([task])
    assert ended.state is TaskState.SUCCEEDED
