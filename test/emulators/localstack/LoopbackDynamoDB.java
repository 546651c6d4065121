import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * DynamoDB Local on 127.0.0.1 only: by itself it binds every interface, and has no option for it. Ends with the process that the
 * property `orgloop.parent` names: LocalStack starts it in a session of its own.
 */
class LoopbackDynamoDB {
  public static void main(String[] args) throws Exception {
    ProcessHandle.of(Long.getLong("orgloop.parent"))
        .ifPresentOrElse(
            parent -> parent.onExit().thenRun(() -> Runtime.getRuntime().halt(0)),
            () -> Runtime.getRuntime().halt(0));
    var local = ServerRunner.createServerFromCommandLineArgs(args);
    var server = local.getClass().getDeclaredField("server");
    server.setAccessible(true);
    for (Connector connector : ((Server) server.get(local)).getConnectors()) {
      ((ServerConnector) connector).setHost("127.0.0.1");
    }
    local.start();
    local.join();
  }
}
